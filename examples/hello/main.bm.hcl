# One web server on one Docker engine. `cargo xtask demo` builds its image and applies this.

variable "docker_host" {
  type    = string
  default = "unix:///var/run/docker.sock"
}

machine "docker" "here" {
  host = var.docker_host
}

pool "all" {
  machines = [machine.docker.here]
}

service "web" {
  pool     = pool.all
  image    = "oci:./image"
  replicas = 1

  port {
    host      = 8080
    container = 8080
  }
}

output "urls" {
  value = [for replica in service.web.replicas : "http://${replica.address}:8080"]
}
