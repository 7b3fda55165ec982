# `bimetal plugin test` makes each of these, changes it, imports it and removes it again.

variable "stand_in" {
  description = "Where the stand-in of the API listens"
  type        = string
}

variable "changed" {
  description = "False as it is made, true as it is changed"
  type        = bool
}

provider "gadget" {
  url   = var.stand_in
  token = "no secret"
}

resource "gadget_item" "example" {
  name  = "example"
  color = var.changed ? "red" : "green"
}
