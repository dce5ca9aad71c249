#!/bin/sh
echo certificates >>/etc/installed
