locals {
  a = local.b # ERROR: Circular references
  b = local.a
}

organization "acme" {
  system = local.a
}
