variable "system" {
  default = "test"
}

organization "acme" {
  system = var.sytsem # ERROR: Unknown reference
}
