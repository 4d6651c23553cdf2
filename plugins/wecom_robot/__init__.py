"""企业微信群机器人: messages to a group of WeCom."""
