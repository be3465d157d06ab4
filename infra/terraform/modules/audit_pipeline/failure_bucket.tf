locals {
  failure_metric_names = { for name in local.destinations : name => "${name}-failures" }

  bucket_names = { for name in keys(local.buckets) : name => "${var.name_prefix}-${name}-${local.account_id}-${local.region}" }

  buckets = merge(
    {
      failed = {
        lock_mode     = var.failure_bucket.lock_mode
        lock_days     = var.failure_bucket.lock_days
        expire_days   = var.failure_bucket.expire_days
        force_destroy = var.failure_bucket.force_destroy
      }
    },
    var.archive == null ? {} : {
      archive = {
        lock_mode     = var.archive.mode
        lock_days     = var.archive.days
        expire_days   = null
        force_destroy = false
      }
    },
  )
}

resource "aws_s3_bucket" "this" {
  #checkov:skip=CKV_AWS_18:access is logged by CloudTrail data events of the account, not bucket by bucket
  #checkov:skip=CKV_AWS_144:copies to another Region are the user's decision, with a bucket of theirs
  #checkov:skip=CKV2_AWS_62:nothing waits for objects; an alarm watches Firehose's own failure metrics
  for_each = local.buckets

  bucket              = local.bucket_names[each.key]
  force_destroy       = each.value.force_destroy
  object_lock_enabled = each.value.lock_mode != null
  tags                = var.tags
}

resource "aws_s3_bucket_versioning" "this" {
  for_each = local.buckets

  bucket = aws_s3_bucket.this[each.key].id
  versioning_configuration {
    status = "Enabled"
  }
}

resource "aws_s3_bucket_ownership_controls" "this" {
  for_each = local.buckets

  bucket = aws_s3_bucket.this[each.key].id
  rule {
    object_ownership = "BucketOwnerEnforced"
  }
}

resource "aws_s3_bucket_public_access_block" "this" {
  for_each = local.buckets

  bucket                  = aws_s3_bucket.this[each.key].id
  block_public_acls       = true
  block_public_policy     = true
  ignore_public_acls      = true
  restrict_public_buckets = true
}

resource "aws_s3_bucket_server_side_encryption_configuration" "this" {
  for_each = local.buckets

  bucket = aws_s3_bucket.this[each.key].id
  rule {
    bucket_key_enabled = local.has_key
    apply_server_side_encryption_by_default {
      sse_algorithm     = local.has_key ? "aws:kms" : "AES256"
      kms_master_key_id = local.kms_key_arn
    }
  }
}

resource "aws_s3_bucket_object_lock_configuration" "this" {
  for_each = { for name, bucket in local.buckets : name => bucket if bucket.lock_mode != null }

  bucket = aws_s3_bucket.this[each.key].id
  rule {
    default_retention {
      mode = each.value.lock_mode
      days = each.value.lock_days
    }
  }

  depends_on = [aws_s3_bucket_versioning.this]
}

resource "aws_s3_bucket_lifecycle_configuration" "this" {
  #checkov:skip=CKV_AWS_300:the first rule does; the scanner does not see past the dynamic one
  for_each = local.buckets

  bucket = aws_s3_bucket.this[each.key].id

  rule {
    id     = "unfinished"
    status = "Enabled"
    filter {}
    abort_incomplete_multipart_upload {
      days_after_initiation = 7
    }
  }

  dynamic "rule" {
    for_each = each.value.expire_days == null ? [] : [each.value.expire_days]
    content {
      id     = "expire"
      status = "Enabled"
      filter {}
      expiration {
        days = rule.value
      }
      noncurrent_version_expiration {
        noncurrent_days = 30
      }
    }
  }

  depends_on = [aws_s3_bucket_versioning.this]
}

resource "aws_s3_bucket_policy" "this" {
  for_each = local.buckets

  bucket = aws_s3_bucket.this[each.key].id
  policy = jsonencode({
    Version = "2012-10-17"
    Statement = [{
      Sid       = "TlsOnly"
      Effect    = "Deny"
      Principal = "*"
      # Every call that carries content or destroys it.
      Action = [
        "s3:AbortMultipartUpload", "s3:BypassGovernanceRetention", "s3:DeleteObject", "s3:DeleteObjectVersion",
        "s3:GetObject", "s3:GetObjectAttributes", "s3:GetObjectVersion", "s3:ListBucket",
        "s3:ListBucketMultipartUploads", "s3:ListBucketVersions", "s3:PutObject", "s3:PutObjectRetention",
      ]
      Resource  = [local.bucket_arns[each.key], "${local.bucket_arns[each.key]}/*"]
      Condition = { Bool = { "aws:SecureTransport" = "false" } }
    }]
  })

  depends_on = [aws_s3_bucket_public_access_block.this]
}

# Counts what arrives under each failure prefix, for the alarm: Firehose's own metrics
# do not count it.
resource "aws_s3_bucket_metric" "failures" {
  for_each = local.destinations

  bucket = aws_s3_bucket.this["failed"].id
  name   = local.failure_metric_names[each.key]
  filter {
    prefix = "${each.key}/"
  }
}
