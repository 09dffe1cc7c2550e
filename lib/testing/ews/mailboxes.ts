import type { RequestedFolder } from './requests/folderIds.ts';
import { ewsMailbox, type Mailbox } from './mailbox.ts';

/** The mailboxes of a simulated server. */
export interface EwsMailboxes {
  /** The mailbox of the account. */
  readonly own: Mailbox;
  /** Returns the mailbox that clients see at an address: that of the account until `named` was called. */
  of(address: string | undefined): Mailbox;
  /** Returns the separate mailbox of an address, with the history that clients have seen at the address. */
  named(address: string): Mailbox;
  /**
   * Returns the address of the mailbox that contains a folder; undefined for that of the account.
   *
   * @param user The address of the impersonated user
   */
  addressOf(folder: RequestedFolder, user: string | undefined): string | undefined;
}

/**
 * Creates the mailboxes of a server, at first only that of the account.
 *
 * @param created Called with each new mailbox
 */
export function ewsMailboxes(created: (mailbox: Mailbox) => void): EwsMailboxes {
  const mailboxes = new Map<string, Mailbox>();
  const seenByClients = new Set<string>();
  const own = ewsMailbox();
  created(own);
  const of = (address: string | undefined): Mailbox => {
    if (address === undefined) return own;
    const name = mailboxName(address);
    seenByClients.add(name);
    return mailboxes.get(name) ?? own;
  };
  return {
    own,
    of,
    named: (address) => {
      const name = mailboxName(address);
      const known = mailboxes.get(name);
      if (known !== undefined) return known;
      const mailbox = seenByClients.has(name) ? own.fork(address) : ewsMailbox(address);
      mailboxes.set(name, mailbox);
      created(mailbox);
      return mailbox;
    },
    addressOf: ({ id, distinguished, mailbox }, user) => {
      const address = mailbox ?? user;
      if (distinguished || of(address).resolveFolder(id, false) !== undefined) return address;
      const holder = [...mailboxes.values()].find((one) => one.resolveFolder(id, false) !== undefined);
      return holder?.address ?? address;
    },
  };
}

/** Returns an address without the differences that do not matter. */
export function mailboxName(address: string): string {
  return address.trim().toLowerCase();
}
