/** The part of the SDK's document client that is used here; see s3-sdk.ts for the reason. */
export { DynamoDBDocumentClient, PutCommand } from "@aws-sdk/lib-dynamodb";
