/** The way of forwarding a network gets; a refusal becomes an error that says what is missing. */
import { EswError } from '../lib/errors.ts';
import { chooseDatapath, type DatapathWish, type EswitchKind } from '../place/datapath.ts';
import type { PluginDeps } from './deps.ts';

/** Throws ESW_ERR_DATAPATH_UNAVAILABLE. */
export function requireDatapath(
  { capabilities }: Pick<PluginDeps, 'capabilities'>,
  wish: DatapathWish,
): { readonly kind: EswitchKind; readonly why: string } {
  const choice = chooseDatapath(wish, capabilities(wish.vlan?.parent));
  if (choice.verdict === 'chosen') return choice;
  const asked = `datapath=${wish.datapath}, require=${wish.require}`;
  throw new EswError('ESW_ERR_DATAPATH_UNAVAILABLE', `${asked}: ${choice.why}`);
}
