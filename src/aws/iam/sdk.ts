/** The part of the IAM SDK that is used here; see s3/sdk.ts for the reason. */
export { GetAccountAuthorizationDetailsCommand, IAMClient } from "@aws-sdk/client-iam";
