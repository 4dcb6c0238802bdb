import type { AdmissionRequest } from "../interface.ts";
import { isEqual, type JsonObject, textOf } from "../json.ts";
import { annotations, type Policy, type Rule, WORKER } from "./policy.ts";

const PREFIX = "keyvault-injector.dev/";
const ACCOUNT = `${PREFIX}service-account`;
const CREDENTIALS = `${PREFIX}credentials-secret`;
const ADOPT = `${PREFIX}adopt`;
const MIRROR_TO = `${PREFIX}mirror-to`;
/** Under this name the worker is judged as everybody else, so that it can try the policy. */
const PROBE = "keyvault-injector-guardrail-probe";

/** Whoever has a class use something of the namespace needs the right to do the same by hand. */
export const CLASS_IDENTITIES: Policy = {
  name: "keyvault-injector-class-identities",
  resources: ["secretproviderclasses.secrets-store.csi.x-k8s.io"],
  isAbout: (request) => request.operation !== "DELETE" && (request.user !== WORKER || request.name === PROBE) && isChanged(request),
  rules: ({ object, namespace, isAllowed }): readonly Rule[] => {
    const notes = annotations(object);
    const account = textOf(notes[ACCOUNT] ?? "").trim();
    const credentials = textOf(notes[CREDENTIALS] ?? "").trim();
    const at = { group: "", namespace, subresource: "" };
    return [
      {
        holds:
          !(ACCOUNT in notes) || isAllowed({ ...at, verb: "create", resource: "serviceaccounts", subresource: "token", name: account }),
        message: `annotation ${ACCOUNT} lends the identity of account '${account}': you need the right to create serviceaccounts/token of it, or leave the annotation out`,
      },
      {
        holds: !(CREDENTIALS in notes) || isAllowed({ ...at, verb: "get", resource: "secrets", name: credentials }),
        message: `annotation ${CREDENTIALS} uses Secret '${credentials}': you need the right to get it, or leave the annotation out`,
      },
      {
        holds: !(ADOPT in notes) || isAllowed({ ...at, verb: "update", resource: "secrets", name: undefined }),
        message: `annotation ${ADOPT} has existing Secrets taken over: you need the right to update Secrets in this namespace, or leave the annotation out`,
      },
      {
        holds: !(MIRROR_TO in notes) || isAllowed({ ...at, verb: "get", resource: "secrets", name: undefined }),
        message: `annotation ${MIRROR_TO} has the class's Secrets copied into other namespaces: you need the right to get Secrets of this namespace, or leave the annotation out`,
      },
    ];
  },
};

/** Labels, owners and finalizers are for everybody. */
function isChanged({ object, oldObject }: AdmissionRequest): boolean {
  return oldObject === undefined || !isEqual(object?.["spec"], oldObject["spec"]) || !isEqual(ours(object), ours(oldObject));
}

function ours(object: JsonObject | undefined): JsonObject {
  return Object.fromEntries(Object.entries(annotations(object)).filter(([key]) => key.startsWith(PREFIX)));
}
