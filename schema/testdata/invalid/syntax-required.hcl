connector "jira" {
  id = = "x" # ERROR: Invalid expression
}
