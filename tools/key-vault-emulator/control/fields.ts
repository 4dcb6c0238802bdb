import { z } from "zod";

/** Fields that several inputs share. Each message describes a valid value. */

export const vaultName = z
  .string()
  .regex(
    /^[a-z](?!.*--)[a-z0-9-]{1,22}[a-z0-9]$/i,
    "3 to 24 letters, digits and single hyphens, starting with a letter, not ending in a hyphen",
  );

const objectName = z.string().regex(/^[0-9a-z-]{1,127}$/i, "1 to 127 letters, digits and hyphens");

export const version = z.string().regex(/^[0-9a-f]{32}$/i, "32 hexadecimal digits");

export const identifier = z.string().regex(/^[0-9a-z][0-9a-z.-]{0,127}$/i, "a GUID");

const unixSeconds = z.number("Unix seconds").int("whole Unix seconds").nonnegative("Unix seconds");

export const attributes = {
  enabled: z.boolean().optional(),
  notBefore: unixSeconds.optional(),
  expires: unixSeconds.optional(),
  tags: z.record(z.string(), z.string()).optional(),
};

export const objectKey = { vault: vaultName, name: objectName };
