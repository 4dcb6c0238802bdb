/** Writes README.md of the chart, which Artifact Hub and `helm show readme` display. */
import { PROJECT, withAbsoluteLinks } from "./project.ts";
import type { ValueRow } from "./value-row.ts";
import { valuesTables } from "./values-files.ts";

const INTRODUCTION = `# keyvault-injector

Add Azure Key Vault secrets to pods with two annotations, or sync the secrets to Kubernetes Secrets. Both use your existing
\`SecretProviderClass\` objects. The worker updates synced Secrets after a rotation, and repairs Secrets that someone changed. The chart installs a mutating admission webhook, a sync worker, and the Secrets Store CSI driver with its Azure provider.

You need Kubernetes 1.30 or later, and Helm 3 or 4. A cluster can have only one install.

## Install

\`\`\`sh
helm install akvsecretsprovider ./keyvault-injector --namespace keyvault-injector --create-namespace \\
  --set image.repository=registry.example.com/platform/keyvault-injector
kubectl label namespace keyvault-injector pod-security.kubernetes.io/enforce=restricted
helm test akvsecretsprovider --namespace keyvault-injector --logs
\`\`\`

The last command runs \`doctor\` in the cluster, which reports problems and how to fix them.

- Set \`image.repository\` to an image that your nodes can pull. Unless the chart comes from a release, the default contains no registry, so only nodes on which you loaded the image can run the pods.
- \`akvsecretsprovider\` is the release name that the Azure extension uses. You can choose any other name.
- Sync into Secrets and rotation are on by default. With \`--set preset=extension\`, the chart uses the Azure extension's defaults.
- If the cluster already has the driver, add \`--set secrets-store-csi-driver.install=false\`. If it has the provider, add \`--set linux.enabled=false\`.
- Next, [inject a pod](docs/how-to/inject-a-pod.md), or [migrate from the Azure extension](docs/how-to/from-the-azure-extension.md).

## Upgrade

\`\`\`sh
helm upgrade akvsecretsprovider ./keyvault-injector --namespace keyvault-injector --reset-then-reuse-values
\`\`\`

\`--reuse-values\` keeps the old chart's defaults, including the image. For the changes in each version, see [Upgrade](docs/how-to/upgrade.md).

## Uninstall

\`\`\`sh
helm uninstall akvsecretsprovider --namespace keyvault-injector
\`\`\`

Helm keeps the CRDs, classes, and synced Secrets. To remove them too, see [Uninstall](docs/how-to/uninstall.md).

# Values`;

export function chartReadme(rows: readonly ValueRow[]): string {
  const tables = valuesTables(rows).replaceAll("](settings.md)", "](docs/reference/settings.md)");
  const text = withAbsoluteLinks(`${INTRODUCTION}\n\n${tables}\n`);
  return `<!-- Made by tools/helm-chart for ${PROJECT.version}. -->\n\n${text}`;
}
