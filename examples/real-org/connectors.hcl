connector "tracker" {
  id     = "mcpsrv_01TrackerQ5nXe7Lk"
  tools  = ["search_issues", "comment_issue", "label_issue"]
  policy = "always_allow"
}

connector "ci" {
  id     = "mcpsrv_01CiR8vTz3Wb"
  tools  = ["read_log", "rerun_job", "publish_release"]
  policy = "always_allow"

  # A release is published by people, whatever their role.
  tool_policy = { publish_release = "blocked" }
}

connector "docs" {
  id     = "mcpsrv_01DocsH2mFy6Ps"
  tools  = ["search_pages", "edit_page"]
  policy = "always_allow"
}
