# `bimetal plugin test` makes each of these, changes it, imports it and removes it again.

variable "stand_in" {
  description = "Where the stand-in of the API listens"
  type        = string
}

variable "changed" {
  description = "False as it is made, true as it is changed"
  type        = bool
}

provider "cumulus" {
  url   = var.stand_in
  token = "no secret"
}

data "cumulus_sizes" "boards" {
  platform = "linux/arm/v7"
}

machine "cumulus" "web" {
  name   = var.changed ? "web-2" : "web-1"
  size   = "small"
  labels = { tier = "web" }
}

machine "cumulus" "board" {
  name   = "board"
  size   = data.cumulus_sizes.boards.sizes[0].name
  labels = var.changed ? { rack = "1" } : null
}
