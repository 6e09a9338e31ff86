resource "aws_db_subnet_group" "vouch" {
  name       = local.name
  subnet_ids = var.private_subnet_ids
}

resource "aws_rds_cluster_parameter_group" "vouch" {
  name   = local.name
  family = "aurora-postgresql17"

  parameter {
    name  = "rds.force_ssl"
    value = "1"
  }
}

resource "aws_rds_cluster" "vouch" {
  cluster_identifier              = local.name
  engine                          = "aurora-postgresql"
  engine_version                  = "17.5"
  database_name                   = "vouch"
  master_username                 = "vouch"
  master_password_wo              = ephemeral.random_password.database.result
  master_password_wo_version      = local.secret_version
  db_subnet_group_name            = aws_db_subnet_group.vouch.name
  db_cluster_parameter_group_name = aws_rds_cluster_parameter_group.vouch.name
  vpc_security_group_ids          = [aws_security_group.database.id]
  storage_encrypted               = true
  kms_key_id                      = aws_kms_key.storage.arn

  # Back to any second of the last 35 days: this is the backup.
  backup_retention_period      = 35
  preferred_backup_window      = "02:00-03:00"
  preferred_maintenance_window = "sun:03:30-sun:04:30"
  copy_tags_to_snapshot        = true
  deletion_protection          = true
  skip_final_snapshot          = false
  final_snapshot_identifier    = "vouch-final"

  serverlessv2_scaling_configuration {
    min_capacity = 0.5
    max_capacity = 4
  }
}

# A writer, and a reader in another zone that takes its place.
resource "aws_rds_cluster_instance" "vouch" {
  count              = 2
  identifier         = "vouch-${count.index}"
  cluster_identifier = aws_rds_cluster.vouch.id
  engine             = aws_rds_cluster.vouch.engine
  engine_version     = aws_rds_cluster.vouch.engine_version
  instance_class     = "db.serverless"
}
