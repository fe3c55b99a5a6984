variable "secret" {
  default   = "hunter2"
  sensitive = true
}

variable "checked" {
  default   = "hunter2"
  sensitive = true
  validation {
    condition     = length(var.checked) > 20 # ERROR: Invalid value of variable
    error_message = "Too short: ${var.checked}"
  }
}

locals {
  mixed = [var.secret, "chat"]
  map   = { a = var.secret }
}

role "a" {
  name              = var.secret # ERROR: Sensitive value
  description       = "x${var.secret}" # ERROR: Sensitive value
  capabilities      = ["a", var.secret] # ERROR: Sensitive value
  previous_names    = local.mixed # ERROR: Sensitive value
  admin_permissions = { billing = var.secret } # ERROR: Sensitive value
}

role "b" {
  admin_permissions = local.map # ERROR: Sensitive value
  name              = parseint(var.secret, 10) # ERROR: Invalid function argument
}

group "g" {
  members = [var.secret] # ERROR: Sensitive value
  owners  = jsondecode(var.secret) # ERROR: Error in function call
}

group "h" {
  members = local.mixed # ERROR: Sensitive value
}

group "i" {
  members = union([var.secret], everyone) # ERROR: Invalid function argument
}

feature "f" {
  enabled = var.secret == "x" # ERROR: Sensitive value
}
