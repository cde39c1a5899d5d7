// One program for each case of tests/contract/test_library.py.
import * as pulumi from "@pulumi/pulumi";
import { ClusterOidcProvider, IrsaRole, IrsaRoleArgs, RocketMq, RocketMqArgs } from "@your-organisation/eks-rocketmq";

const config = new pulumi.Config();
const issuer = config.requireSecret("issuer");

// These cases need only the provider resources, not the SDKs of the providers.
class Provider extends pulumi.ProviderResource {}
const aws = new Provider("aws", "named", { region: "ap-southeast-1" });

function roleArgs(changes: object = {}): IrsaRoleArgs {
    return {
        roleName: "invoices",
        issuer,
        providerArn: "arn:aws:iam::140023393377:oidc-provider/invoices",
        serviceAccounts: [{ namespace: "invoices", name: "invoices" }],
        managedPolicies: ["AmazonS3ReadOnlyAccess"],
        ...changes,
    };
}

function rocketmqArgs(changes: object = {}): RocketMqArgs {
    return {
        namespace: "invoices",
        storageClass: pulumi.output("gp2"),
        profile: "dev",
        brokerGroups: [
            {
                name: "broker-a",
                replicas: 1,
                memory: "1536Mi",
                cpu: "200m",
                storage: "10Gi",
                config: { fileReservedTime: 48 },
            },
        ],
        nameServers: { replicas: 2, memory: "320Mi", cpu: "50m" },
        controllers: { replicas: 1, memory: "512Mi", cpu: "50m", storage: "1Gi" },
        proxies: { replicas: 1, memory: "768Mi", cpu: "100m" },
        ...changes,
    };
}

const cases: Record<string, () => object> = {
    role: () => {
        const oidc = new ClusterOidcProvider("oidc", { issuer }, { providers: [aws] });
        const role = new IrsaRole(
            "invoices",
            roleArgs({ issuer: oidc.issuer, providerArn: oidc.arn }),
            { providers: { aws }, protect: true, dependsOn: [oidc] },
        );
        return { arn: role.arn };
    },
    rocketmq: () => {
        // No cluster runs at this address. A preview does not need one.
        const kubeconfig = JSON.stringify({
            clusters: [{ name: "c", cluster: { server: "https://127.0.0.1:1" } }],
            users: [{ name: "u", user: {} }],
            contexts: [{ name: "x", context: { cluster: "c", user: "u" } }],
            "current-context": "x",
        });
        const kubernetes = new Provider("kubernetes", "named", { kubeconfig });
        const rocketmq = new RocketMq("invoices", rocketmqArgs(), { providers: [kubernetes] });
        return { proxy: rocketmq.proxyEndpoint };
    },
    unknown: () => new IrsaRole("invoices", roleArgs({ serviceAccounts: [{ namespace: "invoices", nam: "x" }] })),
    late: () => new IrsaRole("invoices", roleArgs({ roleName: aws.urn })),
    refused: () => new RocketMq("invoices", rocketmqArgs({ profile: "strickt" })),
};

export const result = cases[config.require("case")]();
