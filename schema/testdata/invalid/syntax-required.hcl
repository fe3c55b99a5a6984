connector "jira" {
  id "x" # ERROR: Invalid block definition
}
