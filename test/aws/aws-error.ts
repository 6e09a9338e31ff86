/**
 * A refusal in AWS's words: the code for programs, the message for people, and the HTTP status.
 * https://docs.aws.amazon.com/STS/latest/APIReference/CommonErrors.html
 */
export class AwsError extends Error {
  readonly code: string;
  readonly status: number;

  constructor(code: string, message: string, status = 400) {
    super(message);
    this.name = 'AwsError';
    this.code = code;
    this.status = status;
  }
}
