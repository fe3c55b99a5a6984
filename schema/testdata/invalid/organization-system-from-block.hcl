locals {
  a = role.a.name
}

organization "acme" {
  system = role.a.name # ERROR: System not known
}

role "a" {
  name = "test"
}
