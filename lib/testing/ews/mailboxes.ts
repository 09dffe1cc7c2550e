import type { RequestedFolder } from './requests/folderIds.ts';
import { ewsMailbox, type Mailbox } from './mailbox.ts';

/** The mailboxes of a simulated server. */
export interface EwsMailboxes {
  /** The mailbox of the account that signs in. */
  readonly own: Mailbox;
  /** Returns the mailbox that clients see by an address: that of the account until a test has named it. */
  of(address: string | undefined): Mailbox;
  /** Returns the mailbox of an address that a test names; what clients have seen by the address is in it. */
  named(address: string): Mailbox;
  /**
   * Returns the address of the mailbox that a folder is in; undefined for that of the account. The id of a
   * folder says whose it is.
   *
   * @param user The address of whom the client acts as.
   */
  addressOf(folder: RequestedFolder, user: string | undefined): string | undefined;
}

/**
 * Creates the mailboxes of a server, of which there is that of the account.
 *
 * @param created Called with each mailbox.
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

/** Returns the same text for all ways to write an address. */
export function mailboxName(address: string): string {
  return address.trim().toLowerCase();
}
