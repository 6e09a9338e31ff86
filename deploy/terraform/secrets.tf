# Made once, and in no state: a change of the version makes new ones, which for the master key needs
# `vouch-server master-key rewrap` (docs/operations.md).
locals {
  secret_version = 1
}

ephemeral "random_password" "master_key" {
  length  = 32
  special = true
}

ephemeral "random_password" "database" {
  length  = 40
  special = false
}

resource "aws_secretsmanager_secret" "master_key" {
  name       = "vouch/master-key"
  kms_key_id = aws_kms_key.storage.arn
  # Without it, the database's keys are lost: a month to notice a mistake.
  recovery_window_in_days = 30
}

# 32 characters are 32 bytes; of their 256 bits about 200 are random.
resource "aws_secretsmanager_secret_version" "master_key" {
  secret_id                = aws_secretsmanager_secret.master_key.id
  secret_string_wo         = base64encode(ephemeral.random_password.master_key.result)
  secret_string_wo_version = local.secret_version
}

resource "aws_secretsmanager_secret" "database" {
  name       = "vouch/database-password"
  kms_key_id = aws_kms_key.storage.arn
}

resource "aws_secretsmanager_secret_version" "database" {
  secret_id                = aws_secretsmanager_secret.database.id
  secret_string_wo         = ephemeral.random_password.database.result
  secret_string_wo_version = local.secret_version
}
