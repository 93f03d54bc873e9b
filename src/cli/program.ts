/** The commands of eswitchctl. Screens are loaded when they are needed, so that help and errors are quick. */
import { Command, Option } from 'commander';
import type { EndpointBody, EndpointList } from '../wire/api/endpoint.ts';
import type { ExplainBody } from '../wire/api/explain.ts';
import type { NetworkBody, NetworkList } from '../wire/api/network.ts';
import type { Plan, ReconcileResult, RuleList } from '../wire/api/rules.ts';
import type { Status } from '../wire/api/status.ts';
import { EXIT, withQuery } from './client.ts';
import { addFirmware } from './firmware-commands.ts';
import { addNic, addPort } from './nic-commands.ts';
import { type Io, Session } from './session.ts';

export type { Io } from './session.ts';

interface RulesOptions {
  readonly view: string;
  readonly network?: string;
  readonly endpoint?: string;
  readonly kind?: string;
  readonly notInHw?: true;
  readonly hardware?: string;
}

interface ExplainOptions {
  readonly proto?: string;
  readonly port?: string;
}

const KINDS =
  'programs port hook nft-table forward-accept address sysctl net-entry subnet-entry port-entry fib-entry nft-element flow-rule';

function addStatus(program: Command, session: Session, io: Io): void {
  program
    .command('status')
    .description('the host at a glance: eswitch and why that kind, traffic, drops, repairs')
    .action(async () => {
      await session.show<Status>('GET', '/v1/status', async (body, style) => {
        const { statusScreen } = await import('./screens/status.ts');
        return statusScreen(body, style, io.now());
      });
    });
}

function addNetwork(program: Command, session: Session): void {
  const network = program.command('network').description('networks: list them, or inspect one');
  network
    .command('ls', { isDefault: true })
    .alias('list')
    .description('one line per network')
    .action(async () => {
      await session.show<NetworkList>('GET', '/v1/networks', async (body, style) => {
        const { networkList } = await import('./screens/network.ts');
        return networkList(body.networks, style);
      });
    });
  network
    .command('inspect')
    .description('everything about one network')
    .argument('<id>', 'id or unique head of one')
    .action(async (id: string) => {
      await session.show<NetworkBody>(
        'GET',
        `/v1/networks/${encodeURIComponent(id)}`,
        async (body, style) => {
          const { networkScreen } = await import('./screens/network.ts');
          return networkScreen(body, style);
        },
      );
    });
}

function addEndpoint(program: Command, session: Session): void {
  const endpoint = program.command('endpoint').description('endpoints: list them, or inspect one');
  endpoint
    .command('ls', { isDefault: true })
    .alias('list')
    .description('one line per endpoint; RX and TX are bytes from and to the container')
    .option('--network <id>', 'only this network')
    .action(async ({ network }: { network?: string }) => {
      await session.show<EndpointList>(
        'GET',
        withQuery('/v1/endpoints', { network }),
        async (body, style) => {
          const { endpointList } = await import('./screens/endpoint.ts');
          return endpointList(body.endpoints, style);
        },
      );
    });
  endpoint
    .command('inspect')
    .description('everything about one endpoint')
    .argument('<id>', 'id or unique head of one')
    .action(async (id: string) => {
      await session.show<EndpointBody>(
        'GET',
        `/v1/endpoints/${encodeURIComponent(id)}`,
        async (body, style) => {
          const { endpointScreen } = await import('./screens/endpoint.ts');
          return endpointScreen(body, style);
        },
      );
    });
}

function addRules(program: Command, session: Session, io: Io): void {
  program
    .command('rules')
    .description('the table as compiled, as observed in the kernel, or the difference')
    .addOption(
      new Option('--view <view>', 'which table').choices(['desired', 'observed', 'diff']).default('desired'),
    )
    .option('--network <id>', 'only this network')
    .option('--endpoint <id>', 'only this endpoint')
    .addOption(new Option('--kind <kind>', 'only this kind').choices(KINDS.split(' ')))
    .addOption(
      new Option('--hardware <where>', 'only forwarding rules that are, or are not, in hardware').choices([
        'yes',
        'no',
      ]),
    )
    .option('--not-in-hw', 'the same as --hardware no: what is not in hardware, and why')
    .action(async ({ view, network, endpoint, kind, notInHw, hardware: where }: RulesOptions) => {
      const hardware = notInHw === true ? 'no' : where;
      const path = withQuery('/v1/rules', { view, network, endpoint, kind, hardware });
      await session.show<RuleList>('GET', path, async (body, style) => {
        const { rulesScreen } = await import('./screens/rules.ts');
        return rulesScreen(body, style, io.now());
      });
    });
}

function addExplain(program: Command, session: Session, io: Io): void {
  program
    .command('explain')
    .description('one packet walked through software and hardware: where it is handled, and why there')
    .argument('<src>', 'sender: head of an endpoint id, an address or a MAC')
    .argument('<dst>', 'receiver, likewise; or any other address')
    .addOption(
      new Option('--proto <protocol>', 'of the packet, tcp by default').choices([
        'tcp',
        'udp',
        'icmp',
        'sctp',
        'other',
      ]),
    )
    .option('--port <number>', 'destination port')
    .action(async (src: string, dst: string, { proto, port }: ExplainOptions) => {
      const path = withQuery('/v1/explain', { src, dst, proto, port });
      await session.show<ExplainBody>('GET', path, async (body, style) => {
        const { explainScreen } = await import('./screens/explain.ts');
        return explainScreen(body, style, io.now());
      });
    });
}

function addPlan(program: Command, session: Session): void {
  program
    .command('plan')
    .description('what a reconcile round would change now, without changing it')
    .option('--exit-code', `exit with ${EXIT.differences} when there is something to do`)
    .action(async ({ exitCode }: { exitCode?: true }) => {
      const plan = await session.show<Plan>('GET', '/v1/plan', async (body, style) => {
        const { planScreen } = await import('./screens/rules.ts');
        return planScreen(body, style);
      });
      if (exitCode && plan.operations.length > 0) session.exitCode = EXIT.differences;
    });
  program
    .command('reconcile')
    .description('look at the whole kernel now and repair what differs')
    .action(async () => {
      const { round } = await session.show<ReconcileResult>('POST', '/v1/reconcile', async (body, style) => {
        const { reconcileScreen } = await import('./screens/rules.ts');
        return reconcileScreen(body, style);
      });
      if (round.failed > 0) session.exitCode = EXIT.failed;
    });
}

/** `run` takes a whole argv and resolves to the exit code; it throws CliError and CommanderError. */
export function createProgram(io: Io): { run(argv: readonly string[]): Promise<number> } {
  const program = new Command('eswitchctl')
    .description('Shows what eswitchd does with the packets of this host, and why.')
    .option('--socket <path>', "the daemon's API socket", io.socket)
    .version(io.version, '-V, --version', 'the version of eswitchctl')
    .option('--json', 'the answer of the API as it is')
    .option('--no-color', 'no colour (also: NO_COLOR in the environment)')
    .addHelpText(
      'after',
      '\nExit codes: 0 ok, 1 refused or failed, 2 usage, 3 daemon unreachable, 4 plan --exit-code found differences.\n',
    )
    .showSuggestionAfterError()
    .configureOutput({ writeOut: text => io.out(text), writeErr: text => io.err(text) })
    .configureHelp({ helpWidth: Math.min(io.width, 100) })
    .exitOverride();
  const session = new Session(io, program);
  addStatus(program, session, io);
  addNetwork(program, session);
  addEndpoint(program, session);
  addRules(program, session, io);
  addExplain(program, session, io);
  addPlan(program, session);
  addNic(program, session);
  addPort(program, session);
  addFirmware(program, session);
  return {
    run: async argv => {
      await program.parseAsync(argv);
      return session.exitCode;
    },
  };
}
