import type { AdmissionRequest } from "../interface.ts";
import { isEqual, type JsonObject, textOf } from "../json.ts";
import { annotations, type Policy, type Rule, WORKER } from "./policy.ts";

const PREFIX = "keyvault-injector.dev/";
const ACCOUNT = `${PREFIX}service-account`;
const CREDENTIALS = `${PREFIX}credentials-secret`;
const ADOPT = `${PREFIX}adopt`;
const MIRROR_TO = `${PREFIX}mirror-to`;
/** The policy treats the worker like any other user if the class has this name, so that the worker can test the policy. */
const PROBE = "keyvault-injector-guardrail-probe";

/** A user who lets a class use something in the namespace needs permission to use it directly. */
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
        message: `annotation ${ACCOUNT} lends the identity of ServiceAccount '${account}': you need permission to create its serviceaccounts/token. Otherwise, omit the annotation`,
      },
      {
        holds: !(CREDENTIALS in notes) || isAllowed({ ...at, verb: "get", resource: "secrets", name: credentials }),
        message: `annotation ${CREDENTIALS} uses Secret '${credentials}': you need permission to get this Secret. Otherwise, omit the annotation`,
      },
      {
        holds: !(ADOPT in notes) || isAllowed({ ...at, verb: "update", resource: "secrets", name: undefined }),
        message: `annotation ${ADOPT} takes over existing Secrets: you need permission to update Secrets in this namespace. Otherwise, omit the annotation`,
      },
      {
        holds: !(MIRROR_TO in notes) || isAllowed({ ...at, verb: "get", resource: "secrets", name: undefined }),
        message: `annotation ${MIRROR_TO} copies the class's Secrets to other namespaces: you need permission to get Secrets in this namespace. Otherwise, omit the annotation`,
      },
    ];
  },
};

/** Whether a change requires permission. Anyone can change labels, owners, and finalizers. */
function isChanged({ object, oldObject }: AdmissionRequest): boolean {
  return oldObject === undefined || !isEqual(object?.["spec"], oldObject["spec"]) || !isEqual(ours(object), ours(oldObject));
}

function ours(object: JsonObject | undefined): JsonObject {
  return Object.fromEntries(Object.entries(annotations(object)).filter(([key]) => key.startsWith(PREFIX)));
}
