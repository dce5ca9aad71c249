output "exists" {
  value       = data.external.probe.result.exists == "true"
  description = "Does a cache have the image, or is there nothing to build?"
}

output "image" {
  value       = data.external.probe.result.image
  description = "What to start: REPOSITORY@DIGEST, or the builder's image."
}

output "id" {
  value       = data.external.probe.result.id
  description = "The digest, or the nil UUID."
}

output "env" {
  value       = jsondecode(data.external.probe.result.env)
  description = "ENVBUILDER_* variables for the container, K=V, sorted."
  sensitive   = true
}

output "env_map" {
  value       = jsondecode(data.external.probe.result.env_map)
  description = "The same as a map."
  sensitive   = true
}

output "status" {
  value       = data.external.probe.result.status
  description = "hit, miss or nothing-to-build."
}

output "first_miss" {
  value       = jsondecode(data.external.probe.result.first_miss)
  description = "The first step that has to run, and why; or null."
}

output "commit" {
  value       = data.external.probe.result.commit
  description = "The commit that was looked at."
}
