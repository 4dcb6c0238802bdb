import type { Damage } from "./damage.ts";
import type { InstallEdits } from "./install-edits.ts";

export function policyDamages(install: InstallEdits): readonly Damage[] {
  return [
    {
      what: "a policy deleted",
      check: "policies",
      state: "FAIL",
      message: /^policy keyvault-injector-sync-secrets is missing$/,
      damage: () => install.deleting("validatingadmissionpolicy", "keyvault-injector-sync-secrets"),
      repair: () => install.putBack(),
    },
    {
      what: "a binding deleted",
      check: "policies",
      state: "FAIL",
      message: /^policy keyvault-injector-sync-secrets has no binding/,
      damage: () => install.deleting("validatingadmissionpolicybinding", "keyvault-injector-sync-secrets"),
      repair: () => install.putBack(),
    },
    {
      what: "a binding that only audits",
      check: "policies",
      state: "FAIL",
      message: /^policy keyvault-injector-sync-snapshots is bound without Deny/,
      damage: () =>
        install.kubectl(
          "patch",
          "validatingadmissionpolicybinding",
          "keyvault-injector-sync-snapshots",
          "--type=merge",
          "-p",
          '{"spec":{"validationActions":["Audit"]}}',
        ),
      repair: () =>
        install.kubectl(
          "patch",
          "validatingadmissionpolicybinding",
          "keyvault-injector-sync-snapshots",
          "--type=merge",
          "-p",
          '{"spec":{"validationActions":["Deny"]}}',
        ),
    },
    {
      what: "a policy for another namespace",
      check: "policies",
      state: "FAIL",
      message: /^policy keyvault-injector-sync-snapshots is written for the install in namespace elsewhere, not in keyvault-injector$/,
      damage: async () => {
        await install.keeping(["get", "validatingadmissionpolicy", "keyvault-injector-sync-snapshots"]);
        const expression = "request.userInfo.username == 'system:serviceaccount:elsewhere:keyvault-injector-sync'";
        await install.policySpec({ matchConditions: [{ name: "by-the-sync-worker", expression }] });
      },
      repair: () => install.policySpec({ matchConditions: JSON.parse(install.kept).spec.matchConditions }),
    },
    {
      what: "a policy that an error switches off",
      check: "policies",
      state: "FAIL",
      message: /^policy keyvault-injector-sync-snapshots has failurePolicy Ignore/,
      damage: () => install.policySpec({ failurePolicy: "Ignore" }),
      repair: () => install.policySpec({ failurePolicy: "Fail" }),
    },
    {
      what: "a binding that leaves namespaces out",
      check: "policies",
      state: "WARN",
      message: /^binding keyvault-injector-sync-snapshots narrows policy keyvault-injector-sync-snapshots$/,
      damage: () => install.bindingSpec({ matchResources: { namespaceSelector: { matchLabels: { team: "a" } } } }),
      repair: () => install.bindingSpec({ matchResources: null }),
    },
    {
      what: "a policy that is there and bound, and denies nothing",
      check: "guardrails",
      state: "FAIL",
      message: /^the worker is able to do what keyvault-injector-sync-snapshots should prevent$/,
      damage: async () => {
        await install.keeping(["get", "validatingadmissionpolicy", "keyvault-injector-sync-snapshots"]);
        await install.policySpec({ validations: [{ expression: "true" }] });
      },
      repair: () => install.policySpec({ validations: JSON.parse(install.kept).spec.validations }),
    },
  ];
}
