variable "git_url" {
  type        = string
  description = "The repository."
}

variable "branch" {
  type        = string
  default     = ""
  description = "Branch, tag or commit; the remote's default branch without."
}

variable "cache_repo" {
  type        = string
  description = "HOST/REPOSITORY, or oci:DIR, that builds publish in."
}

variable "builder_image" {
  type        = string
  description = "What to start where no cache has the image."
}

variable "fallback_image" {
  type        = string
  default     = ""
  description = "Image of a repository that names none."
}

variable "devcontainer_dir" {
  type        = string
  default     = ""
  description = "Where devcontainer.json is, instead of .devcontainer."
}

variable "devcontainer_json_path" {
  type        = string
  default     = ""
  description = "The devcontainer.json."
}

variable "dockerfile_path" {
  type        = string
  default     = ""
  description = "Build this Dockerfile; configurations are ignored."
}

variable "build_context_path" {
  type        = string
  default     = ""
  description = "Context of that Dockerfile."
}

variable "verify_layers" {
  type        = bool
  default     = false
  description = "Ask the registry for every layer, too."
}

variable "with_secrets" {
  type        = bool
  default     = false
  description = "Let env hold passwords and keys. They are in the state then."
}

variable "options" {
  type        = map(string)
  default     = {}
  description = "Other long options of devenv-cache-probe(1), with underscores."
}

variable "devenv" {
  type        = string
  default     = "devenv"
  description = "The program."
}
