/** Here systemd's logind makes a folder for each user with a login session (pam_systemd(8)): `/run/user/UID`. */
export const runUser = '/run/user';
