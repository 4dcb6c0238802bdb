import type { TokenRequest } from "../domain/ports/kube-client.ts";
import { Sensitive } from "../domain/sensitive.ts";
import { parseObject } from "./pages.ts";

export function tokenRequestBody({ audience, expirationSeconds }: TokenRequest): string {
  const spec = { audiences: [audience], expirationSeconds };
  return JSON.stringify({ apiVersion: "authentication.k8s.io/v1", kind: "TokenRequest", spec });
}

/** The token in an answered TokenRequest. Total: undefined for anything that holds none. */
export function tokenOf(body: string): Sensitive | undefined {
  const status = parseObject(body)?.["status"];
  const token: unknown = typeof status === "object" && status !== null ? Reflect.get(status, "token") : undefined;
  return typeof token === "string" && token !== "" ? Sensitive.ofText(token) : undefined;
}
