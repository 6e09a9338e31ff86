/**
 * The authorization ID in AWS's refusal. With it an administrator can find out within a day which policy refused (`aws iam-toolbox
 * get-request-authorization-details`; IAM User Guide, "Troubleshoot access denied error messages with authorization ID"). It is at
 * the message's end, or in an address in the message.
 *
 * @returns undefined when there is none: AWS does not promise one
 */
export function authorizationId(message: string): string | undefined {
  return (
    /\bauthorization id:?\s+([0-9A-Za-z]{8,128})\b/i.exec(message)?.[1] ??
    /#\/authorization-details\/([0-9A-Za-z]{8,128})\b/.exec(message)?.[1]
  );
}

/** A sentence on how to use an authorization ID. */
export function useAuthorizationId(id: string): string {
  return `Within a day, your AWS administrator can see which policy it was: \`aws iam-toolbox get-request-authorization-details --authorization-id ${id}\``;
}
