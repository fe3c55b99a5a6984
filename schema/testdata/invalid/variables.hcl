variable "none" { # ERROR: Variable without a value
}

variable "number" {
  type    = number
  default = "x" # ERROR: Invalid default
}

variable "list" {
  type    = list(string)
  default = [["x"]] # ERROR: Invalid default
}

variable "type" {
  type = strng # ERROR: Invalid type specification
}

variable "bad name" { # ERROR: Invalid name of variable
  default = 1
}

variable "validated" {
  default = "prod"
  validation {
    condition     = contains(["a", "b"], var.validated) # ERROR: Invalid value of variable
    error_message = "It must be a or b, and is ${var.validated}."
  }
}

variable "condition" {
  default = "x"
  validation { # ERROR: Missing required attribute
    condition = var.condition
  }
  validation {
    condition     = var.condition # ERROR: Wrong type of value
    error_message = "x"
  }
}

variable "nullable" { # ERROR: Variable is null
  nullable = false
  default  = null
}

variable "flag" {
  sensitive = var.none # ERROR: Reference not allowed
  default   = "x"
}

variable "flag2" {
  sensitive = "yes" # ERROR: Wrong type of value
  defalt    = "x" # ERROR: Unknown attribute
  default   = "y"
}

locals {
  used = "${var.none} ${var.number} ${var.validated} ${var.nullable} ${var.type}"
}
