# The key that signs every token. It never leaves KMS.
resource "aws_kms_key" "signing" {
  description              = "Vouch signs tokens"
  key_usage                = "SIGN_VERIFY"
  customer_master_key_spec = "ECC_NIST_P256"
  deletion_window_in_days  = 30
}

resource "aws_kms_alias" "signing" {
  name          = "alias/vouch-signing"
  target_key_id = aws_kms_key.signing.key_id
}

# Encrypts the database, its snapshots, the secrets and the log.
resource "aws_kms_key" "storage" {
  description         = "Vouch's database and secrets"
  enable_key_rotation = true
}
