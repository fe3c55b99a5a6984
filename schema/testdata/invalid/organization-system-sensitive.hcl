variable "system" {
  default   = "test"
  sensitive = true
}

organization "acme" {
  system = var.system # ERROR: Sensitive value
}
