resource "aws_cloudwatch_log_group" "server" {
  name              = "vouch-server"
  retention_in_days = 400
}

resource "aws_ecs_cluster" "vouch" {
  name = local.name
}

resource "aws_ecs_task_definition" "server" {
  family                   = "vouch-server"
  requires_compatibilities = ["FARGATE"]
  network_mode             = "awsvpc"
  cpu                      = 512
  memory                   = 1024
  execution_role_arn       = aws_iam_role.start.arn
  task_role_arn            = aws_iam_role.server.arn

  container_definitions = jsonencode([{
    name                   = "server"
    image                  = var.image
    essential              = true
    user                   = "65532:65532"
    readonlyRootFilesystem = true
    stopTimeout            = local.drain_seconds + 30
    linuxParameters        = { capabilities = { drop = ["ALL"] }, initProcessEnabled = false }
    ulimits                = [{ name = "core", softLimit = 0, hardLimit = 0 }]
    portMappings           = [{ containerPort = local.port, protocol = "tcp" }]
    environment = [for name, value in merge({
      VOUCH_ISSUER      = "https://${var.host}"
      VOUCH_OWNER_EMAIL = var.owner_email
      VOUCH_DATABASE_URL = join("", [
        "postgres://vouch@${aws_rds_cluster.vouch.endpoint}/vouch",
        var.database_ca_file == null ? "?sslmode=require" : "?sslmode=verify-full&sslrootcert=${var.database_ca_file}",
      ])
      # ECS hands secrets over as variables only. The command sees all but Vouch's own.
      VOUCH_DATABASE_PASSWORD_COMMAND = "printf %s \"$DATABASE_PASSWORD\""
      VOUCH_SIGNING_KEY               = "awskms:${aws_kms_key.signing.arn}"
      VOUCH_TRUST_PROXY               = var.vpc_cidr
      VOUCH_DRAIN_SECONDS             = tostring(local.drain_seconds)
    }, var.settings) : { name = name, value = value }]
    secrets = [
      { name = "VOUCH_MASTER_KEY", valueFrom = aws_secretsmanager_secret.master_key.arn },
      { name = "DATABASE_PASSWORD", valueFrom = aws_secretsmanager_secret.database.arn },
    ]
    logConfiguration = {
      logDriver = "awslogs"
      options = {
        awslogs-group         = aws_cloudwatch_log_group.server.name
        awslogs-region        = data.aws_region.current.region
        awslogs-stream-prefix = "server"
      }
    }
  }])
}

resource "aws_ecs_service" "server" {
  name            = "vouch-server"
  cluster         = aws_ecs_cluster.vouch.id
  task_definition = aws_ecs_task_definition.server.arn
  desired_count   = 2
  launch_type     = "FARGATE"

  # One more, then one less: the database takes old and new ones at the same time.
  deployment_minimum_healthy_percent = 100
  deployment_maximum_percent         = 150
  health_check_grace_period_seconds  = 300

  deployment_circuit_breaker {
    enable   = true
    rollback = true
  }

  network_configuration {
    subnets         = var.private_subnet_ids
    security_groups = [aws_security_group.server.id]
  }

  load_balancer {
    target_group_arn = aws_lb_target_group.vouch.arn
    container_name   = "server"
    container_port   = local.port
  }

  depends_on = [aws_lb_listener.https, aws_rds_cluster_instance.vouch]
}
