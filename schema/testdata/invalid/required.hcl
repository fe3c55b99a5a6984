connector "jira" { # ERROR: Missing required attribute
}

connector "slack" {
  id = null # ERROR: Missing required attribute
}

feature "chat" { # ERROR: Missing required attribute
  action = "chat"
}
