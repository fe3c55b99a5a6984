group "a" {
  for_each = ["x", "y"] # ERROR: Invalid for_each
}

group "b" {
  for_each = everyone # ERROR: Invalid for_each
}

group "c" {
  for_each = "x" # ERROR: Invalid for_each
}

group "d" {
  for_each = toset([1, 2]) # ERROR: Invalid for_each
}

group "e" {
  for_each = toset(["x", ""]) # ERROR: Invalid for_each
}

group "f" {
  for_each = null # ERROR: Invalid for_each
}

group "g" {
  for_each = { (each.key) = 1 } # ERROR: No for_each here
}

group "h" {
  for_each = toset(["x"])
  name     = each.kee # ERROR: Invalid reference
}

group "i" {
  name = each.value # ERROR: No for_each here
}

role "eng" {
  for_each = toset(["backend", "frontend"])
  name     = each.key
  connector_default = each.key # ERROR: Value not allowed
}

group "j" {
  roles = [role.eng] # ERROR: Wrong type of value
}

group "k" {
  roles = role.eng # ERROR: Wrong type of value
}

group "l" {
  roles = [role.eng["bakend"]] # ERROR: Unknown reference
}

group "m" {
  name = role.eng["backend"].description # ERROR: Attribute not set
}

group "n" {
  for_each = group.a # no second error
  name     = 1 + nothing("x")
}

group "o" {
  for_each = toset(["a", "b"])
  name     = each.key + 1 # ERROR: Invalid operand
}

guard {
  for_each = toset(["a"]) # ERROR: for_each not allowed
}

rule "r" {
  for_each = toset(["a"]) # ERROR: for_each not allowed
}

locals {
  secret_keys = toset([var.secret])
}

variable "secret" {
  default   = "x"
  sensitive = true
}

group "p" {
  for_each = local.secret_keys # ERROR: Sensitive value
}

group "q" {
  for_each = toset(["a\u200bb"]) # ERROR: Invalid for_each
}

group "r" {
  for_each = { a = var.secret }
  name     = each.value # ERROR: Sensitive value
  owners   = [each.key]
}
