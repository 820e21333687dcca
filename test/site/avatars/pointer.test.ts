import { describe, expect, it } from "vitest";
import { connect } from "../../../src/aws/clients.ts";
import { avatarPlace } from "../../../src/site/avatars/pointer.ts";

const site = {
  aws: connect({ region: "eu-central-1", profile: undefined, endpointUrl: undefined }),
  bucket: "files",
  uploadsBucket: "uploads",
};

describe("where a user's picture lies", () => {
  it.each([
    { in: "files", key: "public/profile-images/u1/1748785000002-xyz789.jpg", isTheirs: true },
    { in: "files", key: "profile-images/u1/avatar-1748785000001.jpg", isTheirs: true },
    { in: "uploads", key: "profile-images/u1/avatar-1757000000004.jpg", isTheirs: true },
    { in: "uploads", key: "profile/u1/1757000000003-avatar.jpg", isTheirs: true },
    { in: "uploads", key: "profile/u2/1757000000003-avatar.jpg", isTheirs: false },
    { in: "uploads", key: "profile/u1/../u2/1757000000003-avatar.jpg", isTheirs: false },
    { in: "uploads", key: "document/u1/1757000000001-cv.pdf", isTheirs: false },
    { in: "files", key: "profile/u1/1757000000003-avatar.jpg", isTheirs: false },
    { in: "elsewhere", key: "profile-images/u1/avatar-1.jpg", isTheirs: false },
    { in: "files", key: "public/profile-images/u2/1748785000002-xyz789.jpg", isTheirs: false },
  ])("$in/$key is theirs: $isTheirs", ({ in: bucket, key, isTheirs }) => {
    const value = `https://${bucket}.s3.eu-central-1.amazonaws.com/${key}`;
    expect(avatarPlace(site, { userId: "u1", value })).toEqual(isTheirs ? { bucket, key } : undefined);
  });
});
