variable "stand_in" {
  type = string
}

variable "changed" {
  type = bool
}

provider "badges" {
  url = var.stand_in
}

resource "badges_badge" "build" {
  text  = "build"
  color = var.changed ? "green" : "red"
}

resource "badges_badge" "plain" {
  text  = "plain"
  color = var.changed ? "blue" : null
}
