import {
  ApiextensionsV1Api,
  createConfiguration,
  PatchStrategy,
  type PromiseHttpLibrary,
  ResponseContext,
  ServerConfiguration,
  wrapHttpLibrary,
} from "@kubernetes/client-node";
import type { KubeObject } from "../domain/kubernetes.ts";
import type { ApplyOptions } from "../domain/ports/kube-client.ts";
import type { Answer } from "./transport.ts";

/** What the generated call wants to have sent. */
export interface PatchRequest {
  /** Path and query. */
  readonly path: string;
  readonly body: string;
  readonly contentType: string;
}

/** The generated code wants an absolute address; the transport puts the API server's own before the path. */
const PLACEHOLDER = new ServerConfiguration("https://kubernetes.invalid", {});

/**
 * Server-side apply of a CustomResourceDefinition by client-node's generated call, the one kind of write in that library that leaves a
 * schema whole: its typed creates drop `default`, `enum` and every `x-kubernetes-*`. Its decoder drops them too, so the answer is taken
 * before it is decoded, and the decoder is given nothing. `send` throws on a refusal, which comes through as it is.
 */
export async function applyCustomResourceDefinition(
  body: KubeObject,
  options: ApplyOptions,
  send: (request: PatchRequest) => Promise<Answer>,
): Promise<Answer> {
  let answer: Answer | undefined;
  const library: PromiseHttpLibrary = {
    send: async (context) => {
      const { pathname, search } = new URL(context.getUrl());
      const text = context.getBody();
      if (typeof text !== "string") throw new Error("the generated call did not encode its body");
      answer = await send({ path: pathname + search, body: text, contentType: PatchStrategy.ServerSideApply });
      return new ResponseContext(200, { "content-type": "application/json" }, emptyBody());
    },
  };
  const api = new ApiextensionsV1Api(createConfiguration({ baseServer: PLACEHOLDER, httpApi: wrapHttpLibrary(library) }));
  await api.patchCustomResourceDefinition({
    name: body.metadata.name,
    body,
    fieldManager: options.fieldManager,
    force: options.force,
    ...(options.dryRun === true ? { dryRun: "All" } : {}),
  });
  if (answer === undefined) throw new Error("the generated call returned without a request");
  return answer;
}

function emptyBody(): ResponseContext["body"] {
  return { text: async () => "{}", binary: async () => Buffer.from("{}"), stream: () => null };
}
