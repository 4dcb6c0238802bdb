/** The page of doctor: what the code does not say of a leaf is what to do. */
import { CLASS_STEPS, LEAVES, type LeafName } from "../../src/cli/doctor/class/leaves.ts";
import { CLASS_VERDICTS } from "../../src/cli/doctor/plan/plan.ts";
import { SECRET_ACTIONS } from "../../src/cli/doctor/plan/plan-secret.ts";
import { code, type Places, table } from "./page.ts";

/** Empty where there is nothing to do. */
const FIXES: Readonly<Record<LeafName, string>> = {
  "class-ok": "",
  "class-absent": "create it, correct the name or the namespace, or `restore` it",
  "class-unreadable": "get permission to get the class",
  "class-not-azure": "",
  "class-invalid": "correct the field that the parser names",
  "class-limited":
    "use what `--allowed-vaults` and `--allowed-identity-modes` allow, or widen them; for the node's identity run the named [`grants`](cli.md#grants) command",
  "secret-object-invalid": "correct the named field",
  "identity-ok": "",
  "identity-unsupported":
    "use workload identity (`clientID`) instead; [identity bindings](../how-to/use-identity-bindings.md) can be switched on",
  "credentials-unreadable": "get permission to get that Secret, or run doctor in the worker's pod",
  "credentials-not-allowed": "name a Secret that `--credentials-secret-names` lists, or add the name there",
  "credentials-absent": "create the Secret with `clientid` and `clientsecret`",
  "credentials-incomplete": "set the named key",
  "credentials-padded": "write the value again without, by `kubectl create secret generic --from-literal`",
  "account-unknown": "name one in the annotation `keyvault-injector.dev/service-account`",
  "account-absent": "create it, or name another one",
  "account-not-granted": "run the named [`grants`](cli.md#grants) command",
  "token-request-forbidden": "ask for `create` on `serviceaccounts/token` of that account, or run doctor in the worker's pod",
  "cloud-elsewhere": "run doctor in the worker's pod",
  "identity-binding-elsewhere": "run doctor in the worker's pod",
  "managed-identity-elsewhere": "run doctor in the worker's pod",
  "network-ok": "",
  "host-unresolved": "create the vault, or correct `keyvaultName`; repair DNS or egress, then check `cloudName`",
  "name-service-silent": "repair the name service of this machine",
  "proxy-unreachable": "correct `HTTPS_PROXY`, or exempt the host in `NO_PROXY`",
  "proxy-refuses": "have the proxy let the host through, or correct `keyvaultName`",
  "host-refuses": "open the way to port 443 of the host",
  "host-silent": "open the way to port 443 of the host",
  "authority-unknown": "if the named CA is a proxy's, add it by `NODE_EXTRA_CA_CERTS`; otherwise find out who answers",
  "certificate-wrong": "find out who answers, and check the clock",
  "network-elsewhere": "run doctor in the worker's pod",
  "token-ok": "",
  "client-secret-wrong": "put the secret's value, not its id, into `clientsecret`",
  "client-secret-expired": "add a new one and put it into `clientsecret`",
  "application-unknown": "correct `clientid` or `clientID`, or `tenantID`",
  "tenant-unknown": "correct `tenantID`",
  "not-federated": "add a federated credential with the named subject, issuer and audience",
  "identity-binding-refused":
    "[bind the identity](../how-to/use-identity-bindings.md#1-bind-the-identity) to the cluster and let the ServiceAccount use it, or use workload identity",
  "managed-identity-refused": "assign the identity to the machines, or correct `userAssignedIdentityID`",
  "token-refused": "look the code up at the sign-in service",
  "token-unanswered": "run doctor again, then check the way to the named place and the state of Azure",
  "permission-ok": "",
  "vault-other-tenant": "set `tenantID` to the id of the vault's tenant",
  "permission-missing": "grant the named role, or Get in the access policies",
  "vault-firewall": "allow the outbound address, or use a private endpoint",
  "vault-private": "run doctor in the worker's pod; have a private endpoint in the cluster's network approved",
  "vault-perimeter": "add an inbound access rule to the perimeter",
  "vault-throttles": "wait, poll less often, or use more vaults",
  "vault-api-version": "set `keyVaultAPIVersion` in the cloud file to the named version",
  "vault-fails": "run doctor again, then check the way to the vault and the state of Azure",
  "object-ok": "",
  "object-absent": "create it, or correct `objectName` or `objectVersion`",
  "object-wrong-type": "write the named `objectType`",
  "object-disabled": "enable it, or name an enabled version",
  "object-expired": "set a new version; until then it is still synced",
  "object-not-yet-valid": "change its activation date; until then it is still synced",
  "object-invalid": "correct the object, or `objectFormat`, `objectEncoding`, `objectType`",
  "status-ok": "",
  "status-off": "",
  "status-unreadable": "ask for the role `keyvault-injector-view`",
  "status-absent": "see the check `lease`",
  "status-outdated": "wait a moment, then run doctor again",
  "status-failing": "do what the status says, and see [reasons](reasons.md)",
  "restarts-ok": "",
  "restarts-waiting": "",
  "restarts-held": "follow the message; see [restart on rotation](../how-to/restart-on-rotation.md)",
  "restarts-halted": "see [RolloutFailed](../runbooks/RolloutFailed.md)",
  "restarts-unknown": "run doctor again in a minute; if it lasts, see the worker's log",
  "secret-ok": "",
  "secret-unreadable": "get permission to get the Secret",
  "secret-absent": "see the check `lease`, and the status",
  "secret-foreign": "delete it or choose another `secretName`; for the CSI driver's own sync: switch it off",
  "secret-edited": "see the check `lease`, and stop the other writer",
  "secret-differs": "see the check `lease`, then set the annotation `refresh`",
  "secret-behind": "wait for the next poll, or set the annotation `refresh`",
};

export function doctorPlaces(): Places {
  const words = (title: string, of: Readonly<Record<string, string>>, meaning = "Meaning"): string =>
    table(
      [title, meaning],
      Object.entries(of).map(([word, means]) => [code(word), means]),
    );
  return {
    steps: words("Step", CLASS_STEPS, "Checks whether"),
    leaves: table(
      ["Leaf", "Step", "State", "Means", "Do"],
      Object.entries(LEAVES).map(([name, { step, state, meaning }]) => [
        code(name),
        code(step),
        code(state),
        meaning,
        FIXES[name as LeafName], // A key of the table.
      ]),
    ),
    "plan-classes": words("Class", CLASS_VERDICTS),
    "plan-secrets": words("Secret", SECRET_ACTIONS),
  };
}
