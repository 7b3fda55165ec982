# One service over an engine that is here already and machines that the cloud boots for it.

bimetal {
  required_providers {
    cumulus = { path = "../target/wasm32-wasip2/release/cumulus.wasm" }
  }
}

variable "url" {
  description = "Where the API listens"
  type        = string
}

variable "token" {
  type      = string
  default   = "no secret"
  sensitive = true
}

variable "here" {
  description = "The engine that is here already"
  type        = string
  default     = "unix:///var/run/docker.sock"
}

variable "machines" {
  type    = number
  default = 2
}

variable "size" {
  type    = string
  default = "small"
}

variable "image" {
  description = "A web server that listens on 8080"
  type        = string
}

provider "cumulus" {
  url   = var.url
  token = var.token
}

machine "docker" "here" {
  host = var.here
}

machine "cumulus" "cloud" {
  count = var.machines
  name  = "cloud-${count.index}"
  size  = var.size
}

pool "all" {
  machines = [machine.docker.here, machine.cumulus.cloud]
}

service "web" {
  pool     = pool.all
  image    = var.image
  replicas = 1 + var.machines

  port {
    host      = 8080
    container = 8080
  }
}

output "urls" {
  value = [for replica in service.web.replicas : "http://${replica.address}:8080"]
}
