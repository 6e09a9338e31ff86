/** What an enrolment names as its client when it was begun by the link that the server printed for its first owner. */
export const OWNER_LINK = 'a link that the server printed';

/** Whether an enrolment is the first owner's: nobody else gets in before. */
export const isOwnerLink = ({ client }: { client: string }): boolean => client === OWNER_LINK;
