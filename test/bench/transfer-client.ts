import { connect } from "../../src/aws/clients.ts";
import { downloadFile } from "../../src/aws/s3/download.ts";
import { uploadFile } from "../../src/aws/s3/upload.ts";

// One transfer through src/aws, as a process of its own so that its time and memory can be measured.
const [direction, path = "", endpointUrl = ""] = process.argv.slice(2);
const aws = connect({
  region: "eu-central-1",
  endpointUrl,
  credentials: { accessKeyId: "bench", secretAccessKey: "bench" },
});
if (direction === "up") await uploadFile(aws, { bucket: "bench", key: "file", source: { path } });
else await downloadFile(aws, { bucket: "bench", key: "file", path, overwrite: true });
aws.close();
