organization "acme" {
  system = null # ERROR: Missing required attribute
}
