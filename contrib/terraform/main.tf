# The image of a repository, if a cache has it, else the builder's.

terraform {
  required_version = ">= 1.3"
  required_providers {
    external = {
      source  = "hashicorp/external"
      version = ">= 2.3"
    }
  }
}

data "external" "probe" {
  program = [var.devenv, "cache-probe", "--format=terraform"]
  query = merge({
    git_url                = var.git_url
    branch                 = var.branch
    cache_repo             = var.cache_repo
    builder_image          = var.builder_image
    fallback_image         = var.fallback_image
    devcontainer_dir       = var.devcontainer_dir
    devcontainer_json_path = var.devcontainer_json_path
    dockerfile_path        = var.dockerfile_path
    build_context_path     = var.build_context_path
    verify                 = var.verify_layers ? "layers" : ""
    with_secrets           = var.with_secrets ? "true" : ""
  }, var.options)
}
