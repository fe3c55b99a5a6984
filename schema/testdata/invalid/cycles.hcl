locals {
  a = local.b # ERROR: Circular references
  b = local.c
  c = local.a
  d = local.d # ERROR: Circular references
  e = local.a # no second error
}

group "x" {
  name  = group.y.name # ERROR: Circular references
  roles = ["no"] # ERROR: Wrong type of value
}

group "y" {
  name = "${role.z.name}!"
}

role "z" {
  for_each = toset(group.x.owners)
  name     = group.x.name
}

group "m" {
  members = union(group.n.members, ["ana@acme.com"]) # ERROR: Circular references
}

group "n" {
  members = minus(group.m.members, ["ana@acme.com"])
}

variable "v" {
  default = var.w # ERROR: Circular references
}

variable "w" {
  default = "x"
  validation {
    condition     = var.v == var.w
    error_message = "No."
  }
}
