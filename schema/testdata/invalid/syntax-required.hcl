connector "jira" {
  tools = = [] # ERROR: Invalid expression
  id    = "x"
}
