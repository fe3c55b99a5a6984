# The organization's own policy for a connector is a ceiling: no role can give
# more than it allows, and it holds for owners too.

connector "jira" {
  id     = "mcpsrv_01JiraT7mWq4Rz"
  tools  = ["search_issues", "create_issue", "delete_issue"]
  policy = "always_allow"

  # Nobody lets an assistant delete an issue. One line here is safer than
  # leaving the tool out of every role there will ever be.
  tool_policy = { delete_issue = "blocked" }
}

connector "slack" {
  id     = "mcpsrv_01SlackB9xKd2Vh"
  tools  = ["search_messages", "read_channel", "send_message"]
  policy = "always_allow"
}

connector "github" {
  id     = "mcpsrv_01GitHubN3pLs8Yc"
  tools  = ["search_code", "read_file", "create_pull_request", "merge_pull_request"]
  policy = "always_allow"
}
