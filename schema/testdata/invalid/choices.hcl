role "a" {
  connector_default = "need_approval" # ERROR: Value not allowed
  admin_permissions = {
    billing = "view"
    privacy = "manege" # ERROR: Value not allowed
    billing = "view" # ERROR: Duplicate key
  }
}

connector "jira" {
  id     = "x"
  policy = "zzz" # ERROR: Value not allowed
}

locals {
  levels = { delete_issue = "never" }
}

connector "slack" {
  id          = "y"
  tool_policy = local.levels # ERROR: Value not allowed
}
