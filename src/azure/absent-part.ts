/**
 * Detects responses of a vault that lack a part. For most of them, the SDK fails with a TypeError, which says nothing about the response.
 */
import { valueAt } from "../domain/json-members.ts";
import { parsedJson } from "../domain/json-object.ts";
import type { AdditionalPolicy } from "./additional-policy.ts";

/** Its message is the provider's text, such as `secret id is nil`. Never leaves this folder. */
export class AbsentPart extends Error {
  override readonly name = "AbsentPart";
}

interface Part {
  readonly path: readonly string[];
  readonly words: string;
}

/** In the provider's order. */
const PARTS: Readonly<Record<string, readonly Part[]>> = {
  secrets: [
    { path: ["value"], words: "secret value is nil" },
    { path: ["id"], words: "secret id is nil" },
  ],
  keys: [
    { path: ["key"], words: "key value is nil" },
    { path: ["key", "kid"], words: "key id is nil" },
  ],
  certificates: [
    { path: ["cer"], words: "certificate value is nil" },
    { path: ["id"], words: "certificate id is nil" },
  ],
};

/** Returns the parts that a response from this address must contain; none for lists. */
function partsOf(url: string): readonly Part[] {
  const [kind = "", name, version, ...more] = new URL(url).pathname.split("/").filter((segment) => segment !== "");
  const isOneObject = name !== undefined && version !== "versions" && more.length === 0;
  return isOneObject && Object.hasOwn(PARTS, kind) ? (PARTS[kind] ?? []) : [];
}

/** Throws an {@link AbsentPart} before the SDK parses a response. */
export const absentPartPolicy: AdditionalPolicy = {
  position: "perCall",
  policy: {
    name: "absentPartPolicy",
    async sendRequest(request, next) {
      const response = await next(request);
      const parts = response.status === 200 ? partsOf(request.url) : [];
      // If the body is not JSON, the SDK reports it.
      const body = parts.length > 0 ? parsedJson(response.bodyAsText ?? "") : undefined;
      const absent = body === undefined ? undefined : parts.find(({ path }) => (valueAt(body, path) ?? null) === null);
      if (absent !== undefined) throw new AbsentPart(absent.words);
      return response;
    },
  },
};
