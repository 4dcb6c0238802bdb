import { textOf } from "../json.ts";
import { annotations, metadata, type Policy, type Rule } from "./policy.ts";

const TAKEN = "grants.keyvault-injector.dev/mirrors-from";

/** A user who allows the worker to write Secrets in a namespace needs permission to write them. */
export const NAMESPACE_CONSENTS: Policy = {
  name: "keyvault-injector-namespace-consents",
  resources: ["namespaces", "namespaces/status", "namespaces/finalize"],
  isAbout: ({ operation, object, oldObject }) => {
    const taken = textOf(annotations(object)[TAKEN] ?? "");
    return operation !== "DELETE" && taken.trim() !== "" && annotations(oldObject)[TAKEN] !== taken;
  },
  rules: ({ object, isAllowed }): readonly Rule[] => {
    const namespace = textOf(metadata(object)["name"] ?? "");
    const may = (verb: "create" | "update"): boolean =>
      isAllowed({ group: "", namespace, subresource: "", verb, resource: "secrets", name: undefined });
    return [
      {
        holds: may("create"),
        message: `annotation ${TAKEN} lets the sync worker create Secrets in namespace ${namespace}: you need permission to create Secrets there. Otherwise, leave the annotation unchanged`,
      },
      {
        holds: may("update"),
        message: `annotation ${TAKEN} lets the sync worker change Secrets in namespace ${namespace}: you need permission to update Secrets there. Otherwise, leave the annotation unchanged`,
      },
    ];
  },
};
